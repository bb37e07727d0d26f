/** Light or dark: the system's setting, or the reader's choice, stored if the browser gives a file storage. */

import { useEffect, useState } from "preact/hooks";
import { usePaper } from "./parts/paper";

const KEY = "landkeeper-theme";
export type Choice = "system" | "light" | "dark";

function remembered(): Choice {
  try {
    const choice = localStorage.getItem(KEY);
    return choice === "light" || choice === "dark" ? choice : "system";
  } catch (error) {
    if (error instanceof DOMException) return "system";
    throw error;
  }
}

function remember(choice: Choice): void {
  try {
    localStorage.setItem(KEY, choice);
  } catch (error) {
    // A page from a mail attachment may have no storage: the choice then lasts until the page is closed.
    if (!(error instanceof DOMException)) throw error;
  }
}

export function useTheme(): { choice: Choice; choose: (choice: Choice) => void; isDark: boolean } {
  const [choice, setChoice] = useState(remembered);
  const [isSystemDark, setSystemDark] = useState(() => matchMedia("(prefers-color-scheme: dark)").matches);
  useEffect(() => {
    const query = matchMedia("(prefers-color-scheme: dark)");
    const follow = () => setSystemDark(query.matches);
    query.addEventListener("change", follow);
    return () => query.removeEventListener("change", follow);
  }, []);
  const isOnPaper = usePaper();
  const isDark = !isOnPaper && (choice === "dark" || (choice === "system" && isSystemDark));
  document.documentElement.dataset["theme"] = isDark ? "dark" : "light";
  const choose = (next: Choice) => {
    remember(next);
    setChoice(next);
  };
  return { choice, choose, isDark };
}

export function ThemeChooser({ choice, choose }: { choice: Choice; choose: (choice: Choice) => void }) {
  return (
    <label class="theme">
      <span>Theme</span>
      <select value={choice} onChange={(event) => choose(event.currentTarget.value as Choice)}>
        <option value="system">system</option>
        <option value="light">light</option>
        <option value="dark">dark</option>
      </select>
    </label>
  );
}
