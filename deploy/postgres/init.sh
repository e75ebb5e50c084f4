#!/bin/sh
# Run once by the PostgreSQL image, on an empty volume: makes the services' roles and schemas.
# A role's password is the one in that service's database URL, so it is kept in one place.
set -eu

password_of() {
  file=/run/secrets/$1_database_url
  password=$(sed -n 's|^postgres\(ql\)\{0,1\}://[^:@/]*:\([A-Za-z0-9_-]\{1,\}\)@.*$|\2|p' "$file")
  if [ -z "$password" ]; then
    echo "$file: must be postgres://$1:PASSWORD@HOST:5432/DATABASE with a password of letters, digits, - and _" >&2
    exit 1
  fi
  printf '%s' "$password"
}

# Assigned one by one: a failure inside a larger word would not end the script.
auth=$(password_of auth)
orders=$(password_of orders)
inventory=$(password_of inventory)
console=$(password_of console)
notifier=$(password_of notifier)
collector=$(cat /run/secrets/collector_database_password)

# By environment, not by argument: arguments are seen by everyone who may list processes.
export PGOPTIONS="-c vitrine.auth_password=$auth -c vitrine.orders_password=$orders -c vitrine.inventory_password=$inventory -c vitrine.console_password=$console -c vitrine.notifier_password=$notifier -c vitrine.collector_password=$collector"
run() {
  psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$1" --file="/etc/vitrine/$2"
}
run "$POSTGRES_DB" roles.sql
run "$POSTGRES_DB" statistics.sql
run postgres statistics.sql
