// Reads what contrastive_lab.explorables.table.pack wrote: a flat Float64Array, row-major, with `shape` and `at(i, j, …)`.
function unpack(packed) {
  const bytes = Uint8Array.from(atob(packed.base64), (letter) => letter.charCodeAt(0)), view = new DataView(bytes.buffer);
  const wide = packed.type === "int16", first = wide ? -32767 : 0, last = wide ? 32767 : 255;
  const step = (packed.high - packed.low) / (last - first), count = bytes.length / (wide ? 2 : 1), values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = packed.low + ((wide ? view.getInt16(2 * i, true) : bytes[i]) - first) * step;
  const place = (index) => index.reduce((sum, k, axis) => sum * packed.shape[axis] + k, 0);
  values.shape = packed.shape;
  values.at = (...index) => values[place(index)];
  // The entries below the given leading indices: row(i) of a matrix, row(i, j) of a block.
  values.row = (...index) => {
    const size = packed.shape.slice(index.length).reduce((product, n) => product * n, 1), from = place(index) * size;
    return values.subarray(from, from + size);
  };
  return values;
}
