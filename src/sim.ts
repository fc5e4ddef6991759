/** Sallyport's simulated internet: an internet in one process, in virtual time, by one seed. */
export * from './adapters/sim/index.ts';
export * from './sim/index.ts';
