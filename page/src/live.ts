/** `landkeeper serve`: the report is read anew from the store, and the reader stays where they are. */

import { useEffect, useState } from "preact/hooks";
import type { Report } from "./document";

export interface Live {
  readonly report: Report;
  /** Why what is shown is not the newest; empty while it is. */
  readonly trouble: string;
  readonly isServed: boolean;
}

export function useLive(first: Report): Live {
  const [report, setReport] = useState(first);
  const [trouble, setTrouble] = useState("");
  const seconds = Number(document.querySelector<HTMLMetaElement>('meta[name="landkeeper-serve"]')?.content ?? 0);
  const isServed = seconds > 0 && location.protocol.startsWith("http");
  useEffect(() => {
    if (!isServed) return;
    const readAnew = async () => {
      try {
        // The browser asks with the ETag that it has, and hands out what it has where that is the newest.
        const answer = await fetch("report.json", { cache: "no-cache" });
        const told = (await answer.json()) as Report | { error: string };
        if ("error" in told) return setTrouble(told.error);
        setReport((now) => (now.generated_at === told.generated_at ? now : told));
        setTrouble("");
      } catch (error) {
        if (!(error instanceof TypeError || error instanceof SyntaxError)) throw error;
        setTrouble(`landkeeper serve does not answer (${error.message})`);
      }
    };
    const timer = setInterval(() => void readAnew(), seconds * 1000);
    return () => clearInterval(timer);
  }, [isServed, seconds]);
  return { report, trouble, isServed };
}
