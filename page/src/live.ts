/** `landkeeper serve`: the page requests new data and keeps the reader's place. */

import { useEffect, useState } from "preact/hooks";
import type { Report } from "./document";

export interface Live {
  readonly report: Report;
  /** Why the data is not current; empty while it is. */
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
        // The browser sends its ETag and returns its cached copy if that is current.
        const answer = await fetch("report.json", { cache: "no-cache" });
        const received = (await answer.json()) as Report | { error: string };
        if ("error" in received) return setTrouble(received.error);
        setReport((now) => (now.generated_at === received.generated_at ? now : received));
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
