export { type CommandDriverOptions, commandDriver, type RunningCommand } from './command.ts';
export { loopbackDriver } from './loopback.ts';
export { type SimulatorDriverOptions, simulatorDriver } from './simulator.ts';
