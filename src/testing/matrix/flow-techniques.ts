import type { Flow } from '../../index.ts';
import { TECHNIQUES, type Technique } from '../../sim/oracle/forecast.ts';

/** By which of the oracle's techniques a flow can join two sides. Strategies of one's own count where they have the name of one. */
export function flowTechniques({ strategies }: Pick<Flow, 'strategies'>): readonly Technique[] {
  const names = strategies.map(({ name }) => name);
  const mayMap = strategies.some(({ gives }) => gives === 'mapping');
  return TECHNIQUES.filter((technique) => {
    if (technique === 'mapped') return mayMap && names.includes('checks');
    return names.includes(technique) || (CHECKED.includes(technique) && names.includes('checks'));
  });
}

/** What ICE's checks come to. */
const CHECKED: readonly Technique[] = ['host', 'ipv6', 'reflexive', 'hairpin', 'tcp'];
