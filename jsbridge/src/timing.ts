// What the parts of an opening take, as measures of the browser's own timeline: developer tools and the benchmark show them.

const PREFIX = "cardferry ";

/** Measures how long something takes. */
export async function timed<T>(name: string, work: Promise<T>): Promise<T> {
  const start = performance.now();
  try {
    return await work;
  } finally {
    performance.measure(PREFIX + name, { start, end: performance.now() });
  }
}

/** When each part began and how long it took, in milliseconds since the worker was started. */
export function parts(): Record<string, [start: number, took: number]> {
  const all = performance.getEntriesByType("measure").filter(({ name }) => name.startsWith(PREFIX));
  return Object.fromEntries(all.map(({ name, startTime, duration }) => [name.slice(PREFIX.length), [startTime, duration] as [number, number]]));
}
