// Arithmetic on the cosines between cells; contrastive_lab.explorables.cells and locality are the same in Python.
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
function squareOf([text, widest, power], count) {
  const matrix = Array.from({ length: count }, () => new Float64Array(count).fill(1));
  for (let i = 0, k = 0; i < count; i++) for (let j = i + 1; j < count; j++) {
    const value = Math.cos(widest * Math.pow(LETTERS.indexOf(text[k++]) / 63, power));
    matrix[i][j] = value; matrix[j][i] = value;
  }
  return matrix;
}
function averagedOver(matrix, [height, width], coarse) {
  const block = (i) => Math.floor((coarse * Math.floor(i / width)) / height) * coarse + Math.floor((coarse * (i % width)) / width);
  const size = coarse * coarse, sum = Array.from({ length: size }, () => new Float64Array(size)), cells = new Float64Array(size);
  matrix.forEach((row, i) => { cells[block(i)]++; row.forEach((value, j) => { sum[block(i)][block(j)] += value; }); });
  const gram = (a, b) => sum[a][b] / (cells[a] * cells[b]);
  return matrix.map((row, i) => row.map((_, j) => {
    const a = block(i), b = block(j);
    return Math.max(-1, Math.min(1, gram(a, b) / Math.sqrt(Math.max(gram(a, a) * gram(b, b), 1e-24))));
  }));
}
function rank(row, truth, query) {
  const own = [], rivals = [];
  row.forEach((value, i) => { if (!truth[i]) rivals.push(value); else if (i !== query) own.push(value); });
  if (!own.length || !rivals.length) return { auroc: NaN, curve: [] };
  let wins = 0;
  for (const a of own) for (const b of rivals) wins += Math.abs(a - b) < 1e-9 ? 0.5 : a > b ? 1 : 0;
  const steps = [...new Set([...own, ...rivals])].sort((a, b) => b - a);
  const share = (list, level) => list.filter((value) => value >= level).length / list.length;
  return { auroc: wins / (own.length * rivals.length), curve: [[0, 0], ...steps.map((s) => [share(rivals, s), share(own, s)])] };
}
function lostOf(matrix, [height, width]) {
  const count = matrix.length, means = matrix.map((row) => row.reduce((s, v) => s + v, 0) / count), all = means.reduce((s, v) => s + v, 0) / count;
  const centred = matrix.map((row, i) => row.map((value, j) => value - means[i] - means[j] + all));
  const degrees = centred.map((row, i) => row.reduce((sum, value, j) => sum + (i !== j && value > 0), 0));
  const order = degrees.map((_, i) => i).sort((a, b) => degrees[a] - degrees[b] || a - b), seed = order[0];
  const voters = order.slice(0, Math.max(1, Math.floor(count / 9))).filter((i) => centred[seed][i] > 0);
  const votes = degrees.map((_, j) => voters.reduce((sum, i) => sum + centred[i][j], 0) > 0), reached = new Set([seed]), frontier = [seed];
  while (frontier.length) {
    const cell = frontier.pop(), beside = [cell - width, cell + width];
    if (cell % width) beside.push(cell - 1);
    if ((cell + 1) % width) beside.push(cell + 1);
    for (const n of beside) if (n >= 0 && n < count && votes[n] && !reached.has(n)) { reached.add(n); frontier.push(n); }
  }
  const across = [...reached].map((c) => c % width), down = [...reached].map((c) => Math.floor(c / width));
  return { degrees, seed, box: [Math.min(...across), Math.min(...down), Math.max(...across) + 1, Math.max(...down) + 1] };
}
