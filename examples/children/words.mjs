// Counts the words of a text.
import { createInterface } from "node:readline";

const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");

say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  const { id, payload } = JSON.parse(line);
  try {
    const words = payload.text.split(/\s+/).filter(Boolean);
    if (!words.length) say({ id, log: "there are no words", level: "warning" });
    say({ id, progress: { done: words.length, total: words.length } });
    const longest = Math.max(0, ...words.map((word) => word.length));
    say({ id, status: "ok", result: { words: words.length, longest } });
  } catch (error) {
    say({ id, status: "error", message: String(error), traceback: error.stack });
  }
}
