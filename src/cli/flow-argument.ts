import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Flow, TraversalError } from '../index.ts';

/** The flow that an ES module has as its default export. Throws `ERR_USAGE` for a module that cannot be loaded or has none. */
export async function loadFlow(path: string): Promise<Flow> {
  const { default: flow } = await load(path);
  if (!isFlow(flow))
    throw new TraversalError('ERR_USAGE', `--flow ${path}: its default export is no flow of defineFlow()`);
  return flow;
}

async function load(path: string): Promise<{ readonly default?: unknown }> {
  try {
    return await import(pathToFileURL(resolve(path)).href);
  } catch (cause) {
    throw new TraversalError('ERR_USAGE', `--flow ${path}: ${(cause as Error).message}`, { cause });
  }
}

/** By its looks: a module may have a Sallyport of its own. */
function isFlow(value: unknown): value is Flow {
  return typeof value === 'object' && value !== null && 'spec' in value && 'machine' in value && 'punch' in value;
}
