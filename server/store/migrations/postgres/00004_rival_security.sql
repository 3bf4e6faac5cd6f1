-- +goose Up
ALTER TABLE rival ENABLE ROW LEVEL SECURITY;
ALTER TABLE rival FORCE ROW LEVEL SECURITY;
CREATE POLICY msp ON rival USING (current_setting('patchbay.msp', true) = 'yes')
    WITH CHECK (current_setting('patchbay.msp', true) = 'yes');
CREATE POLICY customer ON rival USING (customer = current_setting('patchbay.customer', true))
    WITH CHECK (customer = current_setting('patchbay.customer', true));
