import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { need } from "../../api/queries";
import type { NeedDetail } from "../../api/types";
import { titleBeside } from "../../lib/title";
import { paths } from "../../paths";
import { Copy } from "../../ui/Copy";
import { Icon } from "../../ui/Icon";
import { Loaded } from "../../ui/Loaded";
import { Middle } from "../../ui/Text";
import { useView } from "../../ui/useView";
import { Chain } from "./Chain";
import { asText } from "./copyText";
import { About } from "./About";
import { busyElsewhere } from "../../ui/useListKeys";
import "../../styles/need.css";
import { itemName } from "./itemName";
import { NeedChange } from "./NeedChange";

/** Why is this not patched? Opens beside the list; the list stays. */
export default function NeedDrawer({ id }: { id: string }) {
  const [, change] = useView();
  const query = useQuery(need(id));
  const close = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !busyElsewhere(event)) change({ need: undefined });
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [change]);

  return (
    <aside className="drawer" aria-label="Why this is not patched">
      <div className="drawer-bar">
        {query.data && <Copy text={asText(query.data, new Date())} label="Copy as text" />}
        <button ref={close} type="button" className="plain" aria-label="Close" onClick={() => change({ need: undefined })}>
          <Icon name="close" />
        </button>
      </div>
      <Loaded query={query} what="This need could not be read." lines={8}>
        {(n) => <Opened need={n} />}
      </Loaded>
    </aside>
  );
}

function Opened({ need: n }: { need: NeedDetail }) {
  return (
    <>
      <header>
        <h2><Middle text={itemName(n.item)} tail={14} /></h2>
        <p>{n.title ? <>{titleBeside(n.item.name, n.title)} <span className="dim nowrap">revision {n.available || n.installed}</span></> : <NeedChange need={n} />}</p>
        <p className="dim small drawer-where">
          <Link className="link" {...paths.device(n.device.id)}><Middle text={n.device.name} /></Link>
          <span>·</span>
          <Link {...paths.site(n.site.id)}><Middle text={n.site.name} /></Link>
          <span>·</span>
          <Link {...paths.customer(n.customer.id)}><Middle text={n.customer.name} /></Link>
        </p>
      </header>
      <Chain need={n} />
      <About need={n} />
    </>
  );
}
