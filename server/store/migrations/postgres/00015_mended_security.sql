-- +goose Up
-- +goose StatementBegin
DO $$
DECLARE
    t    TEXT;
    msp  TEXT := 'current_setting(''patchbay.msp'', true) = ''yes''';
    mine TEXT := 'customer = current_setting(''patchbay.customer'', true)';
BEGIN
    FOREACH t IN ARRAY ARRAY['mend', 'mend_cve', 'device_mend']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY msp ON %I USING (%s) WITH CHECK (%s)', t, msp, msp);
        EXECUTE format('CREATE POLICY customer ON %I USING (%s) WITH CHECK (%s)', t, mine, mine);
    END LOOP;
END $$;
-- +goose StatementEnd
