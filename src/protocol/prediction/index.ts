/** Guessing the external port of a mapping that is yet to be made, where a NAT gives ports out in sequence: sans-IO. */
export { isPortSequence, mayBeInSequence, type PortSequence, readSequence } from './port-sequence.ts';
export { type Predicted, sweep } from './sweep.ts';
