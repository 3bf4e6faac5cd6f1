import type { ItemKey } from "../../api/types";

/** An item's name. A need without one is about all that a provider knows of. */
export const itemName = (item: ItemKey): string => item.name || `Everything from ${item.provider}`;
