import { createTheme, type MantineColorsTuple } from "@mantine/core";

// One accent: the petrol of the cable in the mark. Everything else is a neutral or a state.
const cable: MantineColorsTuple = [
  "#e9f6f6",
  "#d3ecec",
  "#a5d9da",
  "#74c5c8",
  "#4cb4b8",
  "#2ba0a5",
  "#0f8188",
  "#0b6d74",
  "#085a60",
  "#05464b",
];

// Neutrals with a trace of the same petrol, for dark surfaces.
const dark: MantineColorsTuple = [
  "#e6eaeb",
  "#b9c1c4",
  "#98a3a7",
  "#6f7b80",
  "#3a4347",
  "#2b3336",
  "#202729",
  "#171c1e",
  "#111516",
  "#0c0f10",
];

export const theme = createTheme({
  primaryColor: "cable",
  primaryShade: { light: 7, dark: 6 },
  colors: { cable, dark },
  fontFamily: "'Geist Variable', system-ui, -apple-system, 'Segoe UI', sans-serif",
  fontFamilyMonospace: "'Geist Mono Variable', ui-monospace, 'SF Mono', Menlo, monospace",
  fontSizes: { xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "20px" },
  defaultRadius: 6,
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    InputWrapper: { defaultProps: { withAsterisk: false } },
    Button: { defaultProps: { size: "sm" } },
    TextInput: { defaultProps: { size: "sm" } },
    PasswordInput: { defaultProps: { size: "sm" } },
    Select: { defaultProps: { size: "sm", allowDeselect: false } },
    Textarea: { defaultProps: { size: "sm" } },
    NumberInput: { defaultProps: { size: "sm" } },
    Modal: { defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.35 } } },
    Tooltip: { defaultProps: { openDelay: 250, withArrow: false } },
  },
});
