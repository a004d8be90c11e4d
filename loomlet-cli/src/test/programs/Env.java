package org.lmdbjava;

/** In the place of a class of a library that keeps something for each OS thread. */
public class Env {}
