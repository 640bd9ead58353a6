# SPDX-License-Identifier: MIT
# The sources are as clang-format leaves them. Versions differ in details, so
# it is done by the one that Debian 12 has, and skipped without it.
cd "$SRCDIR" || exit 99
case $(clang-format --version 2>/dev/null) in
*' version 14.'*) ;;
*)
    echo '1..0 # SKIP no clang-format 14'
    exit 0
    ;;
esac
count=0
for file in src/*/*.[ch] src/*/*/*.[ch] \
    t/*.c t/*/*.[ch] t/unit/*/*.c t/unit/*/*/*.c
do
    count=$((count + 1))
    if lines=$(clang-format "$file" | diff "$file" -)
    then
        echo "ok $count - $file"
    else
        echo "not ok $count - $file: run clang-format -i on it"
        echo "$lines" | sed 's/^/#   /'
    fi
done
echo "1..$count"
