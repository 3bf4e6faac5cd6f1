const shapes = {
  home: "M3 7.2 8 3l5 4.2V13H9.6V9.4H6.4V13H3z",
  needs: "M2.5 4.5h1m2.5 0h7.5M2.5 8h1M6 8h7.5m-11 3.5h1m2.5 0h7.5",
  devices: "M2.5 3.5h11v7h-11zM5.5 13h5M8 10.5V13",
  updates: "M8 2.5v7m0 0L5 6.7m3 2.8 3-2.8M3 11v2.5h10V11",
  findings: "M8 2.500l4.800 1.700v3.600c0 2.900-2 4.900-4.800 5.900-2.800-1-4.800-3-4.800-5.900v-3.600zM8 5.800v2.800m0 1.900v.100",
  catalog: "M2.5 5.2 8 2.500l5.500 2.700v5.600L8 13.500l-5.500-2.700zM2.500 5.200 8 8l5.500-2.800M8 8v5.500",
  customers: "M3 13.5v-10h6v10m0-6.5h4v6.5M1.8 13.5h12.4M5.2 6h1.6M5.2 8.5h1.6M5.2 11h1.6",
  enrolment: "M8 3.2v9.6M3.2 8h9.6",
  jobs: "M8 4.4V8l2.4 1.6M13.5 8a5.5 5.5 0 1 1-11 0 5.5 5.5 0 0 1 11 0z",
  activity: "M2 8.5h3l2-5 2.6 9 1.8-4H14",
  settings: "M2.5 5h5.2m3.4 0h2.4M2.5 11h2.4m3.4 0h5.2M9.4 3.3v3.4M6.6 9.3v3.4",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zm3.3-1.2 3.2 3.2",
  menu: "M2.5 4.5h11M2.5 8h11m-11 3.5h11",
  chevron: "m5 6.5 3 3 3-3",
  updown: "m5.5 6 2.5-2.5L10.5 6m0 4L8 12.5 5.5 10",
  close: "m4 4 8 8m0-8-8 8",
  copy: "M5.5 5.5v-3h8v8h-3m-8-5h8v8h-8z",
  check: "m3.5 8.5 3 3 6-7",
  back: "M9.5 3.5 5 8l4.5 4.5",
  up: "m4.5 9.5 3.5-3.5 3.5 3.5",
  down: "m4.5 6.5 3.5 3.5 3.5-3.5",
  reboot: "M12.8 6A5.3 5.3 0 1 0 13.3 8.600M13.300 3v3.300h-3.300",
} as const;

export type IconName = keyof typeof shapes;

/** A line drawing of 16 px. It never stands alone on a button that does something. */
export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.4"
      strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      <path d={shapes[name]} />
    </svg>
  );
}
