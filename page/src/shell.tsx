/** The frame around every page: the source of the data, its age, and links to the other pages. */

import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Report } from "./document";
import { useLive } from "./live";
import { MapPage } from "./map/page";
import { BacktestPage } from "./pages/backtest";
import { BroomPage } from "./pages/broom";
import { ConnectPage } from "./pages/connect";
import { CoveragePage } from "./pages/coverage";
import { DefaultsPage } from "./pages/defaults";
import { OverlapsPage } from "./pages/overlaps";
import { OverviewPage } from "./pages/overview";
import { formatTime } from "./parts/text";
import { hashOf, usePlace } from "./route";
import { ThemeChooser, useTheme } from "./theme";
import { unfold } from "./world";

const PAGES = [
  { name: "overview", title: "Overview", Page: OverviewPage },
  { name: "map", title: "Address map", Page: MapPage },
  { name: "overlaps", title: "Overlaps", Page: OverlapsPage },
  { name: "connect", title: "Connect", Page: ConnectPage },
  { name: "defaults", title: "Default VPCs", Page: DefaultsPage },
  { name: "coverage", title: "Coverage", Page: CoveragePage },
  { name: "broom", title: "Broom", Page: BroomPage },
  { name: "backtest", title: "Backtest", Page: BacktestPage },
];

export function Shell({ first }: { first: Report }) {
  const { report, trouble, isServed } = useLive(first);
  const world = useMemo(() => unfold(report), [report]);
  const place = usePlace();
  const theme = useTheme();
  const shown = PAGES.filter((page) => page.name !== "backtest" || report.backtest);
  const here = shown.find((page) => page.name === place.page) ?? shown[0]!;
  const heading = useRef<HTMLHeadingElement>(null);
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = `${here.title}, Landkeeper`;
    // Keyboard and screen reader users continue at the top of the new page.
    if (!isFirst.current) heading.current?.focus({ preventScroll: true });
    if (!isFirst.current) scrollTo(0, 0);
    isFirst.current = false;
    document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [here.name]);
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          heading.current?.focus();
        }}
      >
        Skip to the content
      </a>
      <header class="top">
        <div class="brand">
          <span class="mark" aria-hidden="true" />
          Landkeeper
        </div>
        <p class="about">
          {report.source}, {report.as_of ? `as of ${formatTime(report.as_of)}, ` : ""}created{" "}
          {formatTime(report.generated_at)}
          {isServed && !trouble && <span class="live"> live</span>}
        </p>
        <ThemeChooser choice={theme.choice} choose={theme.choose} />
        <nav class="tabs" aria-label="Pages">
          {shown.map((page) => (
            <a href={hashOf(page.name)} aria-current={page === here ? "page" : undefined}>
              {page.title}
            </a>
          ))}
        </nav>
      </header>
      <main id="main" class={`page-${here.name}`}>
        <div class="status" role="status">
          {trouble && (
            <p class="notice">
              {trouble}: this page shows the data of {formatTime(report.generated_at)}.
            </p>
          )}
        </div>
        <h1 ref={heading} tabIndex={-1}>
          {here.title}
        </h1>
        {report.notices.map((notice) => (
          <p class="notice">{notice}</p>
        ))}
        <here.Page key={here.name} world={world} place={place} isDark={theme.isDark} />
      </main>
      <footer>
        Landkeeper {report.landkeeper}.{" "}
        {isServed ? "Served from this machine." : "This file sends no network requests."}
      </footer>
    </>
  );
}
