/** The mark: six jacks and the one cable that joins what was apart. */
export function Mark({ size = 22 }: { size?: number }) {
  return (
    <svg className="mark" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <g className="jack" strokeWidth="1.7">
        {[4.5, 12, 19.5].flatMap((x) => [6, 18].map((y) => <circle key={`${x}${y}`} cx={x} cy={y} r="2.6" />))}
      </g>
      <path className="cable" d="M4.5 6c0 9 15 3 15 12" strokeWidth="2.6" strokeLinecap="round" />
    </svg>
  );
}
