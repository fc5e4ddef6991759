/** The flow of `simulated-run.ts`, for `--flow` of the built command line: what joins by the NATs alone, without luck. */
import { checks, defaultFlow, defineFlow } from 'sallyport';

export default defineFlow({ ...defaultFlow.spec, punch: checks() });
