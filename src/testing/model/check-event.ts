import { Fields, usage } from '../../sim/fields.ts';
import type { Driver } from './driver.ts';
import { describeEvent, type ModelEvent, type ModelEventType } from './model-event.ts';
import { SIDES } from './sight.ts';

/** Errors: `ERR_USAGE` for what is no event, and for one that the driver cannot make happen; `place`: where it stands, as in `events[2]`. */
export function checkEvent(event: ModelEvent, place: string, { name, cannot }: Pick<Driver, 'name' | 'cannot'>): void {
  const type = typeOf(event, place);
  const fields = new Fields(event, place, ['type', ...DETAILS[type]]);
  if (DETAILS[type].includes('side')) fields.required('side', fields.oneOf('side', SIDES));
  if (DETAILS[type].includes('actor')) fields.required('actor', fields.text('actor'));
  if (DETAILS[type].includes('ports')) fields.oneOf('ports', ['same']);
  const reason = cannot[type];
  if (reason !== undefined) throw usage(place, `the ${name} cannot do ${describeEvent(event)}: ${reason}`);
}

function typeOf(event: unknown, place: string): ModelEventType {
  const fields = new Fields(event, place, Object.keys(event ?? {}));
  return fields.required('type', fields.oneOf('type', Object.keys(DETAILS) as ModelEventType[]));
}

/** What there is to say of an event of each type. */
const DETAILS: Readonly<Record<ModelEventType, readonly ('side' | 'actor' | 'ports')[]>> = {
  dialed: [],
  'time.passed': [],
  'server.lost': [],
  'server.returned': [],
  'link.lossy': [],
  'link.clean': [],
  'nat.rebound': ['side'],
  'udp.blocked': [],
  'udp.unblocked': [],
  roamed: ['side'],
  'listener.ended': [],
  'listener.returned': ['ports'],
  'router.rebooted': ['side'],
  'listener.replaced': [],
  'signaling.delayed': [],
  'signaling.prompt': [],
  closed: ['side'],
  aborted: [],
  'session.broke': ['side'],
  'actor.broke': ['side', 'actor'],
};
