/** The reader's place, as in `#/map?at=10.0.0.0/8`: links, bookmarks and the back button lead to it. */

import { useEffect, useState } from "preact/hooks";

export interface Place {
  readonly page: string;
  readonly about: URLSearchParams;
}

export type About = Record<string, string | null | undefined>;

export function placeOf(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  return { page: path || "overview", about: new URLSearchParams(query) };
}

export function hashOf(page: string, about: About = {}): string {
  const named = Object.entries(about).filter((pair): pair is [string, string] => Boolean(pair[1]));
  const query = new URLSearchParams(named).toString().replaceAll("%2F", "/").replaceAll("%3A", ":");
  return `#/${page}${query ? `?${query}` : ""}`;
}

/** Change some parameters of the page's address; without `step`, the back button skips this change. */
export function move(place: Place, changes: About, step = true): void {
  const hash = hashOf(place.page, { ...Object.fromEntries(place.about), ...changes });
  if (hash === location.hash) return;
  if (step) location.hash = hash;
  else location.replace(hash);
}

export function usePlace(): Place {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  useEffect(() => {
    const follow = () => setPlace(placeOf(location.hash));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return place;
}
