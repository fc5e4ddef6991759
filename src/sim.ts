/** Sallyport's simulated internet: an internet in one process, in virtual time, by one seed, and peers that live there. */
export * from './adapters/sim/index.ts';
export * from './scenario/index.ts';
export * from './sim/index.ts';
