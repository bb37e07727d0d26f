/** Whether the page is being printed. */

import { useEffect, useState } from "preact/hooks";

/** Whether it is: then a table has all of its rows, and the ground is light. */
export function usePaper(): boolean {
  const [isOnPaper, setPaper] = useState(false);
  useEffect(() => {
    const asked = matchMedia("print");
    const follow = () => setPaper(asked.matches);
    const before = () => setPaper(true);
    const after = () => setPaper(false);
    follow();
    asked.addEventListener("change", follow);
    addEventListener("beforeprint", before);
    addEventListener("afterprint", after);
    return () => {
      asked.removeEventListener("change", follow);
      removeEventListener("beforeprint", before);
      removeEventListener("afterprint", after);
    };
  }, []);
  return isOnPaper;
}
