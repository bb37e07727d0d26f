/** The properties of every page. */

import type { Place } from "./route";
import type { World } from "./world";

export interface PageProps {
  readonly world: World;
  readonly place: Place;
  readonly isDark: boolean;
}
