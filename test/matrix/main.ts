/**
 * `npm run matrix`: runs the NAT matrix, prints it, and writes docs/nat-matrix.md and docs/nat-matrix.svg. Ends with 1 when a cell is
 * not as it should be.
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { matrixCells, matrixSvg, matrixText, natMatrix } from '../../src/testing/matrix/index.ts';
import { matrixDocument } from './document.ts';

const docs = resolve(import.meta.dirname, '../../docs');
const cells = matrixCells();
const startedAt = performance.now();
let done = 0;
const matrix = await natMatrix({
  cells,
  onCell: () => {
    done++;
    if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${cells.length} cells`);
  },
});
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
console.log(matrixText(matrix));
console.log(`${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
writeFileSync(resolve(docs, 'nat-matrix.md'), matrixDocument(matrix));
writeFileSync(resolve(docs, 'nat-matrix.svg'), matrixSvg(matrix));
if (matrix.failures.length > 0) process.exitCode = 1;
