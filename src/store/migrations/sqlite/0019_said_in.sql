-- The currency in which a target, or a bound that is money, was said; none: it is not known.
alter table watchlist add column said_in text;
alter table alerts add column said_in text;
