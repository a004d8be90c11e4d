package dev.loomlet.agent;

/** Which of a program's platform threads become greenlets. */
public enum ThreadMode {
    /** Those that the program's own classes start. */
    APP,
    /** Those that its libraries start as well. */
    ALL,
    /** None: only {@code main} is one. */
    NONE
}
