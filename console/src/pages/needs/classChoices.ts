/** The classes that lists are narrowed to; the others come by the URL. */
export const classChoices = [
  { value: "security", label: "Security" },
  { value: "driver", label: "Drivers" },
  { value: "definition", label: "Definitions" },
  { value: "preview", label: "Previews" },
];
