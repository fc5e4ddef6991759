import { TraversalError } from '../index.ts';
import { type PresetName, presets } from '../sim.ts';

/** For the end of the command's help: one line each. */
export function presetHelp(): string {
  const lines = Object.entries(presets).map(([name, { title }]) => `  ${name.padEnd(20)} ${title}`);
  return `\nPresets:\n${lines.join('\n')}`;
}

/** The preset that a person named. Throws `ERR_USAGE`, which names them all. */
export function readPreset(name: string, option: string): PresetName {
  if (Object.hasOwn(presets, name)) return name as PresetName;
  throw new TraversalError(
    'ERR_USAGE',
    `${option}: there is no preset ${name}; there are ${Object.keys(presets).join(', ')}`,
  );
}
