package dev.loomlet.internal.jdk;

import java.lang.reflect.Method;

/** Which classes override a method: asked where nothing may be called to find out. */
public final class Overrides {
    private final ClassValue<Boolean> known;

    /** Of the instance method {@code name} of {@code base}, which takes one argument that is an {@link Object} to the VM. */
    public Overrides(Class<?> base, String name) {
        known = new ClassValue<>() {
            @Override
            protected Boolean computeValue(Class<?> type) {
                try {
                    for (Class<?> each = type; each != null && each != base; each = each.getSuperclass()) {
                        for (Method method : each.getDeclaredMethods()) {
                            if (method.getName().equals(name) && method.getParameterCount() == 1
                                    && method.getParameterTypes()[0] == Object.class) {
                                return true; // itself, or the bridge to it
                            }
                        }
                    }
                    return false;
                } catch (LinkageError e) {
                    return true; // a class of its signatures is missing; let it be tried
                }
            }
        };
    }

    /** Whether {@code type}, or a class between it and the base, has a method of its own. */
    public boolean in(Class<?> type) {
        return known.get(type);
    }
}
