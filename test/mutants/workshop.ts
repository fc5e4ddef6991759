import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Judgement } from './judgement.ts';
import { type Mutant, plant } from './mutant.ts';

export interface JudgingOptions {
  /** Arguments of the judge. */
  readonly judge: readonly string[];
  /** Seconds after which a judge is taken to come to no end. Those in which this process was stopped itself do not count. */
  readonly limit: number;
}

const ROOT = resolve(import.meta.dirname, '../..');
/** What the judge needs of the repository, besides its packages. */
const PARTS = ['src', 'test/model', 'test/mutants', 'package.json', 'tsconfig.json'];

/** A copy of the source in which faults are planted, one at a time. */
export class Workshop implements Disposable {
  readonly #root = mkdtempSync(join(tmpdir(), 'sallyport-mutants-'));
  #judge: ChildProcess | undefined;

  constructor() {
    mkdirSync(join(this.#root, 'test'));
    for (const part of PARTS) cpSync(join(ROOT, part), join(this.#root, part), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(this.#root, 'node_modules'));
  }

  /** Plants the fault, has it judged, and takes it out again. Errors: those of `plant`. */
  async try(mutant: Mutant, options: JudgingOptions): Promise<Judgement> {
    const file = join(this.#root, mutant.file);
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, plant(mutant, text));
    try {
      return await this.judge(options);
    } finally {
      writeFileSync(file, text);
    }
  }

  /** Has the copy judged as it is. */
  judge({ judge, limit }: JudgingOptions): Promise<Judgement> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, ['--import', 'tsx', 'test/mutants/judge.ts', ...judge], {
        cwd: this.#root,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      this.#judge = child;
      const said = { stdout: '', stderr: '' };
      for (const stream of ['stdout', 'stderr'] as const) {
        child[stream].setEncoding('utf8').on('data', (text: string) => {
          said[stream] += text;
        });
      }
      let isLate = false;
      let seconds = 0;
      const timer = setInterval(() => {
        isLate = ++seconds > limit;
        if (isLate) child.kill('SIGKILL');
      }, 1_000);
      child.on('error', reject);
      child.on('close', (code, signal) => {
        clearInterval(timer);
        const where = 'the process of the tests';
        if (code === 0) resolve(JSON.parse(said.stdout.trim().split('\n').at(-1)!));
        else if (isLate) resolve(judged('time', where, `it came to no end within ${limit} s`));
        // Killed from outside, by a user or for want of memory: that says nothing of the fault.
        else if (signal === 'SIGKILL') reject(new Error('the judge was killed'));
        else resolve(judged('crash', where, `it ended with ${code}: ${errorIn(said.stderr)}`));
      });
    });
  }

  [Symbol.dispose](): void {
    this.#judge?.kill('SIGKILL');
    rmSync(this.#root, { recursive: true, force: true });
  }
}

function judged(by: 'time' | 'crash', where: string, reason: string): Judgement {
  return { caught: { by, where, reason }, missing: [] };
}

/** The line that names the error. */
function errorIn(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  return lines.find((line) => /Error\b/.test(line))?.trim() ?? lines.at(-1) ?? 'nothing was said';
}
