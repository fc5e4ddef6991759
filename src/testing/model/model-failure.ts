import { describeEvent, type ModelStep } from './model-event.ts';

export interface FailedRun {
  readonly steps: readonly ModelStep[];
  /** Index of the step after which it failed; as many as there are steps: when all was over. */
  readonly at: number;
  readonly seed: number;
  /** How the model is made, as code. */
  readonly model: string;
  /** What went wrong, in a sentence. */
  readonly reason: string;
}

/** A run did what the model does not allow, or broke an invariant. Its message holds a test to paste that shows it again. */
export class ModelFailure extends Error {
  override readonly name = 'ModelFailure';
  readonly run: FailedRun;

  /** `found`: how it was come by, if there is more to say. */
  constructor(run: FailedRun, { found, cause }: { readonly found?: string; readonly cause?: unknown } = {}) {
    const paragraphs = [found, `${where(run)}: ${run.reason}`, 'To see it again:', reproduction(run)];
    super(paragraphs.filter((paragraph) => paragraph !== undefined).join('\n\n'), { cause });
    this.run = run;
  }
}

/** A test that makes the same run, as code; `flow` is for the reader to fill in. */
export function reproduction({ steps, seed, model, reason }: Omit<FailedRun, 'at'>): string {
  return [
    `test(${literal(reason)}, async () => {`,
    `  const model = ${model};`,
    '  const steps: ModelStep[] = [',
    ...steps.map(({ event, pause }) => `    { event: ${literal(event)}, pause: ${pause} },`),
    '  ];',
    `  await testPath(model, { steps }, { seed: ${seed} });`,
    '}, 60_000);',
  ].join('\n');
}

/** Plain data as it is written in code. */
export function literal(value: unknown): string {
  if (typeof value === 'string') return `'${value.replace(/[\\']/g, '\\$&').replace(/\n/g, '\\n')}'`;
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  if (fields.length === 0) return '{}';
  return `{ ${fields.map(([key, field]) => `${NAME.test(key) ? key : literal(key)}: ${literal(field)}`).join(', ')} }`;
}

function where({ steps, at }: FailedRun): string {
  const told = steps.slice(0, at + 1).map(({ event }) => describeEvent(event));
  return `${at < steps.length ? 'After' : 'At the end of'} ${told.join(', ') || 'nothing'}`;
}

const NAME = /^[A-Za-z_$][\w$]*$/;
