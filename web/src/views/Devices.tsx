// The devices of the account, each with a way to sign it out. This one is signed out in Settings, where more is asked.

import { useState } from "preact/hooks";
import type { Device, SyncError } from "cardferry";
import { account, complain, ferry, say, toError } from "../ferry.ts";
import { href } from "../router.ts";
import { texts } from "../texts.ts";
import { useLoad } from "../ui/load.ts";
import { Confirm, ErrorNotice, Head, Notice } from "../ui/parts.tsx";

const t = texts.settings;
const nameOf = (d: Device): string => t.deviceName(d.name);

/** The place. */
export function Devices() {
  const [changes, setChanges] = useState(0);
  const [ask, setAsk] = useState<Device | null>(null);
  const [failed, setFailed] = useState<SyncError | null>(null);
  const list = useLoad(async () => {
    setFailed(null);
    return ferry().devices.list().catch((e: unknown) => void setFailed(toError(e)));
  }, [changes, account.value?.user]);
  const remove = (device: Device): void => {
    setAsk(null);
    ferry().devices.remove(device.id).then(() => say(t.revoked(nameOf(device))), complain).finally(() => setChanges(changes + 1));
  };
  const again = <button type="button" class="button" onClick={() => setChanges(changes + 1)}>{texts.common.again}</button>;
  return (
    <>
      <Head title={t.devices} back={href("settings")} line={t.devicesMore} />
      {failed && (failed.details?.reason === "unsupported" ? <Notice>{t.devicesOther}</Notice> : <ErrorNotice error={failed}>{again}</ErrorNotice>)}
      {!list && !failed && <section class="surface placeholder" aria-busy="true" />}
      {list && (
        <ul class="surface list">
          {list.map((d) => (
            <li key={d.id} class="item">
              <div class="grow"><span class="label">{nameOf(d)}</span><p>{d.current ? t.deviceThis : t.deviceSeen(d.lastSeen)}</p></div>
              {!d.current && <button type="button" class="button" onClick={() => setAsk(d)}>{t.revoke}<span class="sr"> {nameOf(d)}</span></button>}
            </li>
          ))}
        </ul>
      )}
      {ask && <Confirm title={t.revoke} text={t.revokeAsk(nameOf(ask))} action={t.revoke} danger onYes={() => remove(ask)} onNo={() => setAsk(null)} />}
    </>
  );
}
