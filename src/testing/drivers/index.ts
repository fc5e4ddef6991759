export { type CommandDriverOptions, type CommandPlace, commandDriver, type PlaceEvents } from './command.ts';
export type { RunningCommand } from './command-side.ts';
export { loopbackDriver } from './loopback.ts';
export { type SimulatorDriverOptions, simulatorDriver } from './simulator.ts';
