import { describe, expect, it } from 'vitest';
import { readTrace, replayTrace } from '../../src/trace/index.ts';

const HEADER = '{"format":"sallyport-trace","version":1,"sallyport":"0.1.0","world":"real"}';
const LOG = '{"t":1,"who":"a","what":"log","event":"offer.dropped"}';
const END = '{"t":2,"what":"end","records":1}';

describe('a trace', () => {
  it('is read a line at a time, empty ones left out, with its line numbers', () => {
    let taken = 0;
    function* lines() {
      for (const line of [HEADER, '', LOG, END]) {
        taken++;
        yield line;
      }
    }
    const { header, records } = readTrace(lines());
    expect([header.world, taken]).toEqual(['real', 1]);
    const [first] = records;
    expect(first).toEqual({ line: 3, text: LOG, record: JSON.parse(LOG) });
    expect(taken).toBe(3);
  });

  it('may have fields and records that this version does not know', async () => {
    const lines = [
      HEADER.replace('{', '{"place":"home",'),
      '{"t":1,"who":"a","what":"weather","sky":"grey"}',
      '{"t":2,"what":"end","records":1,"mood":"good"}',
    ];
    expect(await replayTrace(lines)).toMatchObject({ records: 1 });
    expect(await replayTrace(lines)).not.toHaveProperty('differs');
  });

  it.each([
    ['nothing', [], 1],
    ['no JSON', ['not a trace'], 1],
    ['another format', ['{"format":"pcap","version":1}'], 1],
    ['no version of Sallyport', [HEADER.replace('"sallyport":"0.1.0",', '')], 1],
    ['a world that there is not', [HEADER.replace('"real"', '"other"')], 1],
    ['a simulated run without its scenario', [HEADER.replace('"real"', '"simulated"')], 1],
    ['a line that was cut', [HEADER, LOG.slice(0, 20)], 2],
    ['a list', [HEADER, LOG, '[]'], 3],
    ['no time', [HEADER, LOG.replace('"t":1,', '')], 2],
    ['nothing that it is about', [HEADER, LOG.replace('"what":"log",', '')], 2],
    ['a chart that there is not', [HEADER, '{"t":1,"who":"a","what":"chart","actor":"x","chart":"toString"}'], 2],
    ['an event that is none', [HEADER, '{"t":1,"who":"a","what":"event","actor":"x","event":"go"}'], 2],
  ])('with %s is refused, with the number of the line', async (_, lines, line) => {
    await expect(replayTrace(lines)).rejects.toMatchObject({
      code: 'ERR_USAGE',
      message: expect.stringMatching(new RegExp(`^line ${line} of the trace `)),
    });
  });

  it('of a later version is refused as that', async () => {
    const error = { code: 'ERR_VERSION', message: expect.stringContaining('version 2') };
    await expect(replayTrace([HEADER.replace('"version":1', '"version":2'), LOG])).rejects.toMatchObject(error);
  });
});
