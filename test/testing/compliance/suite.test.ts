import { describe, expect, it } from 'vitest';
import { pause } from '../../../src/core/pause.ts';
import { VirtualClock } from '../../../src/sim/index.ts';
import { relayCompliance } from '../../../src/testing/compliance/index.ts';
import {
  Bench,
  type Compliance,
  type ComplianceWorld,
  comply,
  type Test,
} from '../../../src/testing/compliance/suite.ts';

const log: string[] = [];

class KettleBench extends Bench<ComplianceWorld> {
  open(name: string): void {
    log.push(`open ${name}`);
    this.closeAfterwards({ close: () => log.push(`close ${name}`) });
  }
}

function boilingTests(test: Test<KettleBench>): void {
  test('boils', async (bench) => {
    bench.open('kettle');
    bench.open('lid');
    await pause(bench.clock, 60_000);
    log.push(`boiled at ${bench.clock.now()}`);
  });

  test('whistles', async () => {
    log.push('whistled');
  });
}

function kettleCompliance(options: Compliance<ComplianceWorld>): void {
  comply({ contract: 'a kettle', bench: KettleBench, groups: { boiling: boilingTests } }, options);
}

async function create(): Promise<ComplianceWorld> {
  const clock = new VirtualClock();
  log.push('create');
  return { clock, settle: (promise) => clock.runUntil(promise), close: async () => void log.push('close world') };
}

kettleCompliance({ name: 'tin', create, skip: [{ test: 'whistles', reason: 'it has no whistle' }] });

describe('a suite', () => {
  it('gives each test a world of its own, lets its time pass, and closes what was opened, the world last', () => {
    const boiled = ['create', 'open kettle', 'open lid', 'boiled at 60000', 'close kettle', 'close lid', 'close world'];
    expect(log).toEqual(boiled);
  });

  it('refuses to skip a test that it does not have', () => {
    const skip = [{ test: 'carries tea', reason: 'it is coffee' }];
    expect(() => relayCompliance({ name: 'pot', create: () => Promise.reject(), skip })).toThrow(
      'pot: there is no test to skip: carries tea',
    );
  });
});
