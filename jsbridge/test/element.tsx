// What TypeScript must take, and must refuse, of the element in JSX; nothing runs it.

import type { Cardferry } from "../src/index.ts";
import { useFerry } from "../src/react.ts";

export function App({ other }: { other: Cardferry }) {
  const { ferry } = useFerry();
  return (
    <>
      <cardferry-sync-button ferry={ferry} words={{ synced: "All here" }} no-media className="sync" />
      <cardferry-sync-button ferry={other} oncardferry-choice={({ detail }) => detail.error?.kind} />
      {/* @ts-expect-error: no profile */}
      <cardferry-sync-button ferry="default" />
    </>
  );
}
