import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { SOUND } from './faults/fault.ts';
import { networkFaults } from './faults/network-faults.ts';
import { portMapperFaults } from './faults/port-mapper-faults.ts';
import { relayFaults } from './faults/relay-faults.ts';
import { sessionFaults } from './faults/session-faults.ts';
import { signalingFaults } from './faults/signaling-faults.ts';

/** Vitest runs the suites in a process of its own: on what is sound and on what is wrong on purpose, the tests that must notice. */
const SUITES = [
  { file: new URL('./faults/network.suite.ts', import.meta.url), contract: 'a Network', faults: networkFaults },
  { file: new URL('./faults/session.suite.ts', import.meta.url), contract: 'a Session', faults: sessionFaults },
  {
    file: new URL('./faults/signaling.suite.ts', import.meta.url),
    contract: 'signalling through a server',
    faults: signalingFaults,
  },
  { file: new URL('./faults/relay.suite.ts', import.meta.url), contract: 'a relay', faults: relayFaults },
  {
    file: new URL('./faults/port-mapper.suite.ts', import.meta.url),
    contract: 'a port mapper',
    faults: portMapperFaults,
  },
];

let results: readonly Result[];
beforeAll(async () => {
  const wanted = SUITES.flatMap(({ contract, faults }) =>
    Object.entries(faults).flatMap(([name, { noticedBy }]) =>
      [SOUND, `what ${name}`].map((implementation) => ({ suite: `${implementation} as ${contract}`, test: noticedBy })),
    ),
  );
  results = await runVitest(wanted);
}, 180_000);

describe.each(SUITES)('the suite of $contract', ({ contract, faults }) => {
  const cases = Object.entries(faults).map(([name, { noticedBy }]) => ({ name, noticedBy }));

  it.each(cases)('lets pass what is sound: it $noticedBy', ({ noticedBy }) => {
    expect(statusOf(`${SOUND} as ${contract}`, noticedBy)).toBe('passed');
  });

  it.each(cases)('notices what $name', ({ name, noticedBy }) => {
    expect(statusOf(`what ${name} as ${contract}`, noticedBy)).toBe('failed');
  });
});

function statusOf(implementation: string, test: string): string | undefined {
  return results.find(({ ancestorTitles: [first], title }) => first === implementation && title === test)?.status;
}

interface Result {
  readonly ancestorTitles: readonly string[];
  readonly title: string;
  readonly status: string;
}

interface WantedTest {
  readonly suite: string;
  readonly test: string;
}

async function runVitest(wanted: readonly WantedTest[]): Promise<readonly Result[]> {
  const vitest = fileURLToPath(new URL('../../../node_modules/vitest/vitest.mjs', import.meta.url));
  const config = fileURLToPath(new URL('./faults/vitest.config.ts', import.meta.url));
  const files = SUITES.map(({ file }) => fileURLToPath(file));
  const pattern = wanted.map(({ suite, test }) => `^${literal(suite)} .*${literal(test)}$`).join('|');
  const args = [vitest, 'run', '--config', config, '-t', pattern, ...files];
  // It ends with an error, as tests fail in it; what counts is the report.
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 26 }).catch(
    (failed: { readonly stdout: string }) => failed,
  );
  const report = JSON.parse(stdout.slice(stdout.indexOf('{'))) as {
    readonly testResults: readonly { readonly assertionResults: readonly Result[] }[];
  };
  return report.testResults.flatMap(({ assertionResults }) => assertionResults);
}

/** As a pattern that matches it. */
function literal(text: string): string {
  return text.replace(/[^\w ]/g, '.');
}
