/** Servers under attack and fault: {@code mvn -Pattack -pl loomlet-core test}. */
@NullMarked
package dev.loomlet.attack;

import org.jspecify.annotations.NullMarked;
