// Runs a module for a Go test: reads calls from standard input, one a line, and writes an answer for each to standard output.
// The modules know nothing of it, and it knows nothing of them.
import { createInterface } from 'node:readline';
import { mock } from 'node:test';
import { secrets } from './secrets.mjs';

// Libraries must see the clock of the test, which jumps. Timers stay real.
mock.timers.enable({ apis: ['Date'] });

// What libraries say on the console goes to standard error, like warnings: standard output is for answers alone.
console.log = console.info = console.debug = console.error;

const functions = await import(process.argv[2]);

for await (const line of createInterface({ input: process.stdin })) {
  const { function: name, argument, now } = JSON.parse(line);
  mock.timers.setTime(now);
  const answer = {};
  try {
    answer.result = (await functions[name](argument)) ?? null;
  } catch (thrown) {
    answer.failure = await describe(thrown);
  }
  answer.secrets = secrets.splice(0);
  process.stdout.write(JSON.stringify(answer) + '\n');
}
// Whatever is still open, a stream or a timer, nobody waits for it.
process.exit(0);

async function describe(thrown) {
  const { name, constructor, code, message, cause, status, error, response } = thrown;
  return {
    name: constructor?.name ?? name,
    code: code === undefined ? undefined : String(code),
    message: cause?.message ? `${message} (${cause.message})` : String(message ?? thrown),
    status: status ?? thrown.data?.status ?? cause?.status,
    // Some libraries show the challenge of an answer, and leave its body to whoever wants to know more.
    error: error ?? thrown.errorCode ?? (await response?.clone().json().catch(() => undefined))?.error,
  };
}
