import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useRouter, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { signIn } from "../../api/acts";
import { Problem } from "../../api/client";
import { sessionQuery } from "../../api/queries";
import { client } from "../../router";
import { Trouble } from "../../ui/States";
import { Door } from "./Door";

/** Only a path of this console: never somewhere else. */
const within = (next: string | undefined): string => (next && /^\/(?![/\\])/.test(next) ? next : "/");

export function SignIn() {
  const { next } = useSearch({ from: "/signin" });
  const router = useRouter();
  const known = useQuery(sessionQuery).data;
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const enter = useMutation({
    mutationFn: () => signIn({ email, password, ...(code ? { code } : {}) }),
    onSuccess: (session) => {
      client.setQueryData(sessionQuery.queryKey, session);
      router.history.push(within(next));
    },
  });
  const asked = enter.error instanceof Problem && enter.error.type === "code-required";
  const withCode = asked || code !== "";
  return (
    <Door title="Sign in" foot={known?.installation_name && `${known.installation_name} · ${known.version}`}>
      <form onSubmit={(e) => { e.preventDefault(); enter.mutate(); }}>
        <TextInput label="Email" type="email" autoComplete="username" required autoFocus value={email} onChange={(e) => setEmail(e.currentTarget.value)} />
        <PasswordInput label="Password" autoComplete="current-password" required value={password} onChange={(e) => setPassword(e.currentTarget.value)} />
        {withCode && (
          <TextInput label="Code from your authenticator app" inputMode="numeric" autoComplete="one-time-code" required autoFocus maxLength={10} value={code}
            onChange={(e) => setCode(e.currentTarget.value.replace(/\s/g, ""))} />
        )}
        {enter.error && !asked && <Trouble error={enter.error} what="You are not signed in." />}
        <Button type="submit" loading={enter.isPending}>Sign in</Button>
      </form>
    </Door>
  );
}
