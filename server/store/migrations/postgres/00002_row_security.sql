-- Row-level security, forced on the owner too. A transaction sees one customer, or, when it
-- says so, all of them; one that says nothing sees nothing.

-- +goose Up
-- +goose StatementBegin
DO $$
DECLARE
    t    TEXT;
    msp  TEXT := 'current_setting(''patchbay.msp'', true) = ''yes''';
    mine TEXT := '%s = current_setting(''patchbay.customer'', true)';
BEGIN
    FOREACH t IN ARRAY ARRAY['customer', 'site', 'token', 'agent', 'device', 'section', 'offer',
        'approval', 'job', 'outcome', 'daily_fact', 'chain', 'audit', 'person', 'session', 'api_key', 'setting']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY msp ON %I USING (%s) WITH CHECK (%s)', t, msp, msp);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['site', 'token', 'agent', 'device', 'section', 'offer',
        'approval', 'job', 'outcome', 'daily_fact', 'chain', 'audit']
    LOOP
        EXECUTE format('CREATE POLICY customer ON %I USING (%s) WITH CHECK (%s)', t,
            format(mine, 'customer'), format(mine, 'customer'));
    END LOOP;
    EXECUTE format('CREATE POLICY customer ON customer USING (%s) WITH CHECK (%s)',
        format(mine, 'id'), format(mine, 'id'));
END $$;
-- +goose StatementEnd
-- What a customer's transaction may know of the settings.
CREATE POLICY epoch ON setting FOR SELECT USING (name = 'orders_epoch');
