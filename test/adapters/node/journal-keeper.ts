import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** A process of its own that has lease journals. */
export interface JournalKeeper {
  /** Gives a command of `fixtures/journal-keeper.ts`; fulfils with the answer. */
  ask(command: string): Promise<string>;
  /** By SIGKILL; fulfils when it is gone. */
  kill(): Promise<void>;
}

export function startJournalKeeper(directory: string): JournalKeeper {
  const script = fileURLToPath(new URL('fixtures/journal-keeper.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, directory], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  onTestFinished(kill);
  return {
    async ask(command) {
      child.stdin.write(`${command}\n`);
      const { value, done } = await answers.next();
      if (done) throw new Error('the journal keeper has ended');
      return value;
    },
    kill,
  };
}
