// Statistics: today, the last 30 days, and what the cards are.

import { num, today } from "../api.ts";
import { day } from "../day.ts";
import { ferry, version } from "../ferry.ts";
import { texts } from "../texts.ts";
import { useLoad } from "../ui/load.ts";
import { Head } from "../ui/parts.tsx";

const DAYS = 30;
const DAY = 86_400_000;

/** The statistics. */
export function StatsView() {
  const loaded = useLoad(async () => ({ t: await today(), days: await perDay(), kinds: await cardKinds() }), [version.value]);
  if (!loaded) return <Head title={texts.stats.title} />;
  const { t, days, kinds } = loaded;
  return (
    <>
      <Head title={texts.stats.title} />
      <div class="figures" aria-label={texts.stats.today} role="group">
        <Figure value={texts.whole(t.reviews)} label={`${texts.stats.reviews}, ${texts.stats.today.toLowerCase()}`} />
        <Figure value={texts.whole(Math.round(t.seconds / 60))} label={texts.stats.minutes} />
        <Figure value={t.reviews ? `${Math.round((100 * t.right) / t.reviews)} %` : "–"} label={texts.stats.right} />
      </div>
      <section class="section">
        <h2>{texts.stats.chart}</h2>
        <div class="surface pad"><Chart days={days} /></div>
      </section>
      <section class="section">
        <h2>{texts.stats.cards}</h2>
        <div class="surface pad stack"><Kinds kinds={kinds} /><p class="small muted">{texts.stats.kindsMore}</p></div>
      </section>
    </>
  );
}

function Figure(p: { value: string; label: string }) {
  return <div class="surface"><b>{p.value}</b><span>{p.label}</span></div>;
}

/** Reviews per study day; the last is today. Manual changes do not count. */
async function perDay(): Promise<number[]> {
  const { end } = await day();
  const from = end - DAYS * DAY;
  const rows = await ferry().query("SELECT (id - ?) / ? AS day, count() AS n FROM revlog WHERE id >= ? AND ease > 0 GROUP BY 1", [from, DAY, from]);
  const days = new Array<number>(DAYS).fill(0);
  for (const r of rows) if (num(r, "day") < DAYS) days[num(r, "day")] = num(r, "n");
  return days;
}

/** Bars without a library: thirty numbers need none. */
function Chart(p: { days: readonly number[] }) {
  const most = Math.max(...p.days, 1);
  const total = p.days.reduce((a, b) => a + b, 0);
  const [w, h, gap] = [600, 160, 4]; // stretched to the width of the page; labels are text beside it, which is not
  const step = w / DAYS;
  return (
    <figure>
      <p class="chart-labels" aria-hidden="true"><span>{texts.whole(most)}</span></p>
      <svg class="chart" viewBox={`0 0 ${w} ${h}`} preserveAspectRatio="none" role="img" aria-label={`${texts.stats.chart}. ${texts.stats.chartMore}. ${texts.stats.average(Math.round(total / DAYS))}`}>
        {p.days.map((n, i) => {
          const height = n === 0 ? 0 : Math.max(3, (n / most) * (h - 4));
          return (
            <rect key={i} class={i === DAYS - 1 ? "today" : ""} x={i * step + gap / 2} y={h - height} width={step - gap} height={height}>
              <title>{texts.stats.day(DAYS - 1 - i, n)}</title>
            </rect>
          );
        })}
      </svg>
      <p class="chart-labels" aria-hidden="true"><span>{texts.stats.chartMore}</span><span>{texts.stats.today}</span></p>
      <figcaption class="small muted">{total ? texts.stats.average(Math.round(total / DAYS)) : texts.stats.none}</figcaption>
    </figure>
  );
}

type Kind = keyof typeof texts.stats.kinds;

const MATURE = 21; // days

async function cardKinds(): Promise<Record<Kind, number>> {
  const [row] = await ferry().query(`SELECT
    coalesce(sum(queue = -1), 0) AS suspended,
    coalesce(sum(queue <> -1 AND type = 0), 0) AS new,
    coalesce(sum(queue <> -1 AND type IN (1, 3)), 0) AS learn,
    coalesce(sum(queue <> -1 AND type = 2 AND ivl < ${MATURE}), 0) AS young,
    coalesce(sum(queue <> -1 AND type = 2 AND ivl >= ${MATURE}), 0) AS mature FROM cards`);
  return { new: num(row, "new"), learn: num(row, "learn"), young: num(row, "young"), mature: num(row, "mature"), suspended: num(row, "suspended") };
}

function Kinds(p: { kinds: Record<Kind, number> }) {
  const all = Math.max(1, Object.values(p.kinds).reduce((a, b) => a + b, 0));
  return (
    <ul class="kinds">
      {(Object.keys(texts.stats.kinds) as Kind[]).map((kind) => (
        <li key={kind}>
          <span>{texts.stats.kinds[kind]}</span>
          <span class="bar" aria-hidden="true"><i class={kind} style={{ width: `${(100 * p.kinds[kind]) / all}%` }} /></span>
          <b>{texts.whole(p.kinds[kind])}</b>
        </li>
      ))}
    </ul>
  );
}
