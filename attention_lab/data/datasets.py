"""Data sets that `fetch` knows by name: their licences, and where which files are.

A checksum is of a file's bytes. Those of Multi30k's raw files are confirmed: the local copies that they were
computed from have the MD5 that torchtext publishes for these addresses. The others were computed from a local
copy; no published checksum confirms them. No address was tried when this table was written. A file without a
checksum needs one from the user.
"""

import os
import zipfile
from collections.abc import Callable, Iterator
from typing import NamedTuple

from attention_lab.config.choices import look_up
from attention_lab.data.fetch import fetch
from attention_lab.storage.files import digest, naming, write_bytes

LOCAL = "computed from a local copy; no published checksum confirms it"  # said of such a checksum


class File(NamedTuple):
    """A file of a data set.

    Fields: path, inside the user's folder; url; sha256, "" where it is not known; confirmed, True where a
    published checksum of another kind vouches for it.
    """

    path: str
    url: str
    sha256: str = ""
    confirmed: bool = False


class Dataset(NamedTuple):
    """A data set.

    Fields: files; page, where it is described; licence, as stated there; makes, (path, function of the folder
    that gives the content) of a file that is made of the others.
    """

    files: tuple[File, ...]
    page: str
    licence: str
    makes: tuple[str, Callable[[str], bytes]] | None = None


def fetch_named(name: str, folder: str, sha256: str = "", unchecked: bool = False
                ) -> Iterator[tuple[str, str]]:
    """Downloads the files of a data set into a folder, and yields (path, what is to be known of it) for each.

    A file that is there is not downloaded again, and nothing that is there is replaced.

    Args:
      name: a key of DATASETS. sha256: of the file that has none in the table.
      unchecked: accepts such a file without a checksum.
    Raises:
      ValueError: as of `fetch`; a different file lies at a path of the data set; a checksum is missing, or
        one too many.
    """
    dataset = look_up(DATASETS, "name", name)
    unknown = [file.path for file in dataset.files if not file.sha256]
    if unknown and not (sha256 or unchecked):
        raise ValueError(f"{name}: the sha256 of {unknown[0]} is not known: give it as --sha256=HEX, or "
                         "--unchecked to accept what comes")
    if not unknown and (sha256 or unchecked):
        raise ValueError(f"{name}: the table has the sha256 of each of its files: --sha256 and --unchecked "
                         "do not go with it")
    for file in dataset.files:
        path, expected = os.path.join(folder, file.path), file.sha256 or sha256.lower()
        if os.path.isfile(path) and expected and digest(path) != expected:
            raise ValueError(f"{path}: its sha256 is {digest(path)}, not {expected}: move it away, for "
                             "nothing is replaced")
        if not os.path.isfile(path):
            fetch(file.url, expected or None, path)
        known = "confirmed" if file.confirmed else LOCAL if file.sha256 else (
            "given by you" if sha256 else "unchecked")
        yield path, f"sha256 {digest(path)} ({known})"
    if dataset.makes:
        path, make = os.path.join(folder, dataset.makes[0]), dataset.makes[1]
        there = os.path.exists(path)
        if not there:
            write_bytes(path, make(folder))
        yield path, "was there already, kept" if there else f"made of {dataset.files[0].path}"


def parallel(folder: str, archive: str = "en-fr.txt.zip", name: str = "Tatoeba.en-fr") -> bytes:
    """The "english TAB french" lines of a zip that has a file of each language; ValueError where it is none.

    Lines that are empty, or have a tab, in one language are left out.
    """
    path = os.path.join(folder, archive)
    try:
        with naming(path), zipfile.ZipFile(path) as packed:
            english, french = (packed.read(f"{name}.{side}").decode("utf-8").split("\n")
                               for side in ("en", "fr"))
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: is no zip with {name}.en and {name}.fr in UTF-8: {error}") from error
    if len(english) != len(french):
        raise ValueError(f"{path}: {name}.en has {len(english)} lines, {name}.fr {len(french)}")
    pairs = ((one.strip(), other.strip()) for one, other in zip(english, french))
    return "".join(f"{one}\t{other}\n" for one, other in pairs
                   if one and other and "\t" not in one + other).encode()


def _files(base: str, checksums: str, confirmed: bool = False) -> tuple[File, ...]:
    """The files of "SHA256  PATH" lines, each at base + PATH."""
    return tuple(File(path, base + path, sha256, confirmed)
                 for sha256, path in (line.split() for line in checksums.strip().splitlines()))


_MULTI30K = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/"
_COARSEWSD = "https://raw.githubusercontent.com/danlou/bert-disambiguation/master/data/CoarseWSD-20/"

DATASETS = {
    "multi30k": Dataset(
        page="https://github.com/multi30k/dataset",
        licence="none is stated for the text; of the images: non-commercial research and education",
        files=_files(_MULTI30K + "raw/", confirmed=True, checksums="""
d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f  train.en.gz
622e75069e9f4c577425c4f277116ce66e63a2401c0a2312d90073cb12379a3c  train.fr.gz
14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28  val.en.gz
ca3106f1a72390591d25f6c45cb4cd39dec4cd3f123e099748a3ce5256c160e9  val.fr.gz
611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9  test_2016_flickr.en.gz
6d326e188d259fb1d04ac19eae3af956559b3a0b93d7635e56c90987c40c8b90  test_2016_flickr.fr.gz
""") + _files(_MULTI30K + "tok/", """
08925f8e0572bcd5a006702fc5fe20e2d77c6917d4eebd576fc20de6693c2119  train.lc.norm.tok.en
8fa41bb718412bcb7c5dfa58603842810a01543eae86a51279f9886b901266e1  train.lc.norm.tok.fr
46573ce391ae227f1c72f873392436a20ef18e0a6d518098cfbd70b77c8572ec  val.lc.norm.tok.en
b303e301aa21fe7822a846b2b3fb2d5a1121ec807cd5b1d006fb7b2b5507168a  val.lc.norm.tok.fr
5b7f32627cf99eced828311b955dae9800bb52bc8b91cf8b6526829e605b29d2  test_2016_flickr.lc.norm.tok.en
1463bd5960f9bfe098ec3cd752d3df0c49c84dc646fb518964a29232658cd836  test_2016_flickr.lc.norm.tok.fr
""")),
    "coarsewsd": Dataset(  # the twelve words of twenty that the study disambiguation_coarsewsd reads
        page="https://github.com/danlou/bert-disambiguation",
        licence="CC BY-NC 4.0 (https://creativecommons.org/licenses/by-nc/4.0/)",
        files=_files(_COARSEWSD, """
e64e645283dd7a4908539fc81c92fe307b5dcb83de32573fa769ab06a79c45de  apple/classes_map.txt
3d9239b2abbcb88edb65f4c842f2aed9757c6433055006f9e0880ae905e0953d  apple/test.data.txt
cf2364333316461ede6f0730270fc3fc5fa8ac60eded716a8e318b085dd06a68  apple/test.gold.txt
fc3ceceecceecd450902dec43ed691a5f18aa414846147f41c3fab4af862c054  apple/train.data.txt
ea6dbfb9d46ba516e768587717f934577fb28d7ec71befa3dd72cf689dc936d5  apple/train.gold.txt
097201695caf6cf3a67a32e871b23bcde5336e5b353122f176c77f6d1977416c  bank/classes_map.txt
a22fe4fcf44866782265a47d283140ed38269d97f55cb8340bdba9ad05cc78bf  bank/test.data.txt
229c322c16d1e3bdf41b1dee3a140bf58ec5647c11e361327a31107d4aa05bd0  bank/test.gold.txt
8c3c081437902d4f42d6215185d711852eeaa915370ce51cea8cdd52180ab688  bank/train.data.txt
8b0b81fd346df7eb510e53dbc46dc1458543e192cb066321290eb15fe6b309da  bank/train.gold.txt
53d4bf0c73caaca1f29468d273132efd6bc33d36747c7d91f6e784a2c5f7c86a  bow/classes_map.txt
09ca06d536ff3b0641f48ee7ff4c19394a81a2954d7d2224dda743e37c918fa6  bow/test.data.txt
5208b13247e6be4cbf43b61c27d9532c337907287a7ab8d83b47f00f362512a3  bow/test.gold.txt
839f0ce7ba537f9f57e0a07f2d181ee5467b62e92dff0d983da6aee10fb94288  bow/train.data.txt
68dfd9b0d4e3762c4eb4183fb56083cdb702cc805ff9b93919e4c6847fa78669  bow/train.gold.txt
53f72f616ee8131fdf9b8649f7a8f6b0c4e1bd87f935f917e92983c518f057af  chair/classes_map.txt
6998d0c2bc5fb516a853098749382a97c18a69b0703df226de54411550f67e30  chair/test.data.txt
194b88d9e5c3b7afb101d9d74625cfc07532fbb4565577a4300a60e892f67b57  chair/test.gold.txt
c9b6013d7cb3509f0166d46919de66febd30694372178a0c5ad57ec20681fa28  chair/train.data.txt
664d9128a0735116a64e4fd2b343e65f5213632a81e6b3f23020d8fb5d02b456  chair/train.gold.txt
efdf33808c7b4bfa9b46030d72951ed25a2391fb64628bb999178f8596f00ab4  club/classes_map.txt
270102664cc993eb910051b807b8d0bc32ba96e80809592b171c039eedf0a111  club/test.data.txt
e6da8b96d5b31a72f38dd3dd539d94c8a754f9bf767bb2df533e083b47325523  club/test.gold.txt
cd27207555a9693ffc2c0950995f912404dd4c305eb26c7a77b2b13808bfaf68  club/train.data.txt
64d630bc618692234f690fd31246951a39678009ea81cfbc42159780c8d05e1a  club/train.gold.txt
b056b635255a5e399c2b642250e12ddd8eee2caadeabecc6be16d7b59979fd4c  crane/classes_map.txt
5bdd171120127c0e7f77e60e4cfbed91ea212438edbd537daad747c2fab1a9ed  crane/test.data.txt
e5db988f12083073ebc66461e0911461653c373f2fd506536b0da750fe2b3275  crane/test.gold.txt
f512b5266a25bdd6625f40c6fdc80ba73621385d950c7476aaf39267d082b536  crane/train.data.txt
a2e46c5fec462b2612856242c33462fcaa2f0d93ef0ce836a39fb1877b9d9709  crane/train.gold.txt
8eec3c0f0c5a2127e145b709c298a760612f4b14e077ea452ec42929ebe0f8d6  java/classes_map.txt
07dd4bab1d7e10abca96242d3d9e0b7be4b651abf9318d1d75af753df6e4e052  java/test.data.txt
ab3e4b4d906ac2a393d33c4196d529ca67837358339976d1b4c8e77c1c289ef0  java/test.gold.txt
424df8a514222ad42e937ce9fcddc3b2103851c5d01e63e96dffa6cb3683755c  java/train.data.txt
2d5c5e9cf49b90142f1cdd497b69c12f4cc52ae06500fff21e14728569b8f30f  java/train.gold.txt
2e4d2ab88430b8c762b0106edc3a42289374b10b5af38b9e644a1fe4b32a74bf  mole/classes_map.txt
30999e9847c5d6b13e1de6f7c920beb350436136d836e165c3f6d62ae5111e14  mole/test.data.txt
0641e34896e8595a65ae882ee3dcde3ba64a2a96d2d3bff6d563ba30af02879f  mole/test.gold.txt
fedf166bd1e529f7bb0f030a79427f6fb6caf750517b24426993065e2f712ce2  mole/train.data.txt
93fbfff59ce0584b9040b84f498b881664cfb86c2a7179ac1709d3ce76cd18e3  mole/train.gold.txt
7bb400cbd6077de38733336ccf9a77d603171039cf4350f7ce9d8accc461353c  seal/classes_map.txt
084b420f5ac4fbf383145be1e6f93d087c41959a005405b182b2759a0510a865  seal/test.data.txt
2514bbc04a95bada20d8ae0d7de962f7515086d56c2cb6d827560e4d22e9e19e  seal/test.gold.txt
bce1108ef118310b8589bfb9bca95981107e4327c5253ed3532d1f231e714732  seal/train.data.txt
8be932a363a1b287358376811e07229b8b0bbf482457b003494c707683abeb25  seal/train.gold.txt
721977ffb47e2ebe24cbb703748d387bbae0afc15e7b669863cd5bbc2a2ecaaf  spring/classes_map.txt
f7a6110dbf27f10e8c476c3e286844e6acf42fa2d437f1b49b6860083dc07220  spring/test.data.txt
f5741fea3e593180bdb54a80f4218d272f0568be870637d02344a185f3a5f2c0  spring/test.gold.txt
a272e004a2c20c23f773ebbd4cb54c5b1be3257bb36a81c37f824ac860beb517  spring/train.data.txt
4f41fd584e6f8a90dbd7527dc5ab5460397d6313e37a93d4572b54512f553245  spring/train.gold.txt
89e115a625c74ad6e9eecfa4201ce8bf011bde66a2989f143edda38e63c9194c  square/classes_map.txt
5a87b520e998e34dbcb712c88ed9ed62cd7eb24fc566a9479bdae91ca81957a4  square/test.data.txt
61d5e73f1f4ac9124956121d892ae0366b472a52e0cc51cdb9c8a0334dc69ce8  square/test.gold.txt
c528b7bf8021e56adc37c22df0973460c9963d2b5349391409e6e1862361ad64  square/train.data.txt
bfa161dd987438497fd3dbb122a9e9a42f55be6f786b9becc9fea6ae6b289674  square/train.gold.txt
43e266d14c39cad10690cc31f571c617309c9eedce9af15c62462f7431e94657  trunk/classes_map.txt
bf4bb3434fb549970201fc915ce6e79c4a1d75766db746f65ceb48692b8a89f3  trunk/test.data.txt
698e7482594751f0c567ebd6946272c0e752aa1bc268f0684650061375afbc94  trunk/test.gold.txt
09b091de1f2ea64f478737fd8b052d9136ddc03aa3c7b58f67a3271c8d0e47ed  trunk/train.data.txt
bfe72a3f5160197698a9c1bacddbfc34ad38711626d872c70e73383037aef3f4  trunk/train.gold.txt
""")),
    "tatoeba": Dataset(
        page="https://opus.nlpl.eu/Tatoeba.php",
        licence="CC BY 2.0 FR (https://creativecommons.org/licenses/by/2.0/fr/)",
        files=(File("en-fr.txt.zip",
                    "https://object.pouta.csc.fi/OPUS-Tatoeba/v2023-04-12/moses/en-fr.txt.zip"),),
        makes=("pairs.tsv", parallel)),
}
