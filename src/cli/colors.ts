import { isatty } from 'node:tty';
import pc from 'picocolors';

/** For stdout: a terminal that shows them, and nobody who said NO_COLOR. What is piped has none, wherever it runs. */
export const colors = pc.createColors(pc.isColorSupported && isatty(1));
