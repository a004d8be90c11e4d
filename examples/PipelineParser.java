import dev.loomlet.coroutine.Generator;
import java.util.ArrayDeque;
import java.util.Deque;

/** Arithmetic as a pipeline of generators: characters to tokens, tokens to postfix, postfix to a value. */
class PipelineParser {
    static Generator<String> tokens(String text) {
        return Generator.of(out -> {
            for (int i = 0; i < text.length();) {
                int start = i;
                if (Character.isDigit(text.charAt(i))) {
                    while (i < text.length() && Character.isDigit(text.charAt(i))) {
                        i++;
                    }
                    out.yield(text.substring(start, i));
                } else {
                    i++;
                    if (!Character.isWhitespace(text.charAt(start))) {
                        out.yield(text.substring(start, i));
                    }
                }
            }
            out.yield("end");
        });
    }

    /** Recursive descent that yields from the middle of its recursion. */
    static Generator<String> postfix(Generator<String> tokens) {
        return Generator.of(out -> new Object() {
            String token = tokens.next();

            void sum() {
                product();
                while (token.equals("+") || token.equals("-")) {
                    String operator = take();
                    product();
                    out.yield(operator);
                }
            }

            void product() {
                factor();
                while (token.equals("*") || token.equals("/")) {
                    String operator = take();
                    factor();
                    out.yield(operator);
                }
            }

            void factor() {
                if (token.equals("(")) {
                    take();
                    sum();
                    expect(")");
                } else if (Character.isDigit(token.charAt(0))) {
                    out.yield(take());
                } else {
                    throw new IllegalArgumentException("a number or ( was expected, not " + token);
                }
            }

            void expect(String wanted) {
                if (!token.equals(wanted)) {
                    throw new IllegalArgumentException(wanted + " was expected, not " + token);
                }
                take();
            }

            String take() {
                String taken = token;
                token = tokens.hasNext() ? tokens.next() : "end";
                return taken;
            }

            void all() {
                sum();
                expect("end");
            }
        }.all());
    }

    static long evaluate(Generator<String> postfix) {
        Deque<Long> stack = new ArrayDeque<>();
        for (String each : postfix) {
            if (Character.isDigit(each.charAt(0))) {
                stack.push(Long.valueOf(each));
            } else {
                long right = stack.pop();
                long left = stack.pop();
                stack.push(switch (each) {
                    case "+" -> left + right;
                    case "-" -> left - right;
                    case "*" -> left * right;
                    default -> left / right;
                });
            }
        }
        return stack.pop();
    }

    public static void main(String[] args) {
        String[] lines = args.length > 0 ? args : new String[] {"1 + 2 * 3", "(1 + 2) * (10 - 4) / 2", "7 * (2"};
        for (String line : lines) {
            try {
                System.out.println(line + " = " + evaluate(postfix(tokens(line))));
            } catch (IllegalArgumentException e) {
                System.out.println(line + ": " + e.getMessage());
            }
        }
    }
}
