import { Drawer } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQueryClient } from "@tanstack/react-query";
import { Outlet } from "@tanstack/react-router";
import { lazy, Suspense, useEffect } from "react";
import { listen } from "../api/events";
import { Icon } from "../ui/Icon";
import { Mark } from "../ui/Mark";
import { Notices } from "../ui/Notice";
import { useView } from "../ui/useView";
import { Acts } from "./Acts";
import { CustomerSwitcher } from "./CustomerSwitcher";
import { usePalette } from "./usePalette";
import { Rail } from "./Rail";
import "../styles/shell.css";

const NeedDrawer = lazy(() => import("../pages/needs/NeedDrawer"));
const Palette = lazy(() => import("./Palette"));

/** Everything around a page: the rail, the drawer of a need, the palette, what is told. */
export function Shell() {
  const [view] = useView();
  const [menu, { open, close }] = useDisclosure();
  const palette = usePalette();
  const client = useQueryClient();
  useEffect(() => listen(client), [client]);

  return (
    <Notices>
      <Acts>
        <div className="shell" data-drawer={view.need || view.package ? "" : undefined}>
          <a className="skip" href="#main">Skip to the page</a>
          <aside className="rail" aria-label="Navigation">
            <Rail find={palette.open} />
          </aside>
          <header className="topbar">
            <button type="button" className="find" style={{ width: 36 }} onClick={open} aria-label="Open navigation">
              <Icon name="menu" />
            </button>
            <CustomerSwitcher />
            <Mark />
          </header>
          <Drawer opened={menu} onClose={close} size={280} title="Patchbay" closeButtonProps={{ "aria-label": "Close navigation" }}>
            <div className="rail" data-open="" onClick={(e) => (e.target as HTMLElement).closest("a") && close()}>
              <Rail find={() => { close(); palette.open(); }} narrow />
            </div>
          </Drawer>
          <main id="main" tabIndex={-1}>
            <Outlet />
          </main>
          <Suspense>{view.need && <NeedDrawer id={view.need} />}</Suspense>
          <Suspense>{palette.opened && <Palette close={palette.close} />}</Suspense>
        </div>
      </Acts>
    </Notices>
  );
}
