/** Whether the page is being printed. */

import { useEffect, useState } from "preact/hooks";

/** Return whether the page is being printed: a table then has all rows, and the theme is light. */
export function usePaper(): boolean {
  const [isOnPaper, setPaper] = useState(false);
  useEffect(() => {
    const query = matchMedia("print");
    const follow = () => setPaper(query.matches);
    const before = () => setPaper(true);
    const after = () => setPaper(false);
    follow();
    query.addEventListener("change", follow);
    addEventListener("beforeprint", before);
    addEventListener("afterprint", after);
    return () => {
      query.removeEventListener("change", follow);
      removeEventListener("beforeprint", before);
      removeEventListener("afterprint", after);
    };
  }, []);
  return isOnPaper;
}
