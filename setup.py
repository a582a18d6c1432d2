"Packaging for audioclust. Every setting lives in settings.ini; edit there, not here."
import re
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent
parser = ConfigParser(delimiters=["="])
parser.read(here/"settings.ini", encoding="utf-8")
cfg = parser["DEFAULT"]
statuses = {"2": "2 - Pre-Alpha", "3": "3 - Alpha", "4": "4 - Beta", "5": "5 - Production/Stable"}
pythons = [f"3.{minor}" for minor in range(int(cfg["min_python"].split(".")[1]), 15)]


def readme():
    "The README with links and images that work away from the repository."
    text = (here/"README.md").read_text(encoding="utf-8")
    tag = f"v{cfg['version']}"
    raw = cfg["git_url"].replace("github.com", "raw.githubusercontent.com")
    text = re.sub(r"(!\[[^\]]*\]\()(?!https?:|#)", rf"\1{raw}/{tag}/", text)
    return re.sub(r"(?<!!)(\[[^\]]*\]\()(?!https?:|#)", rf"\1{cfg['git_url']}/blob/{tag}/", text)


setup(
    name=cfg["lib_name"], version=cfg["version"], description=cfg["description"], keywords=cfg["keywords"],
    author=cfg["author"], author_email=cfg["author_email"], url=cfg["git_url"],
    project_urls={"Documentation": cfg["doc_host"] + cfg["doc_baseurl"]},
    license="Apache-2.0",
    long_description=readme(), long_description_content_type="text/markdown",
    classifiers=[f"Development Status :: {statuses[cfg['status']]}", f"Intended Audience :: {cfg['audience']}",
                 f"Natural Language :: {cfg['language']}", "Operating System :: POSIX :: Linux", "Operating System :: MacOS", "Operating System :: Microsoft :: Windows",
                 "Programming Language :: Python :: 3", "Topic :: Scientific/Engineering :: Artificial Intelligence", "Typing :: Typed", "Topic :: Multimedia :: Sound/Audio :: Analysis",
                 *(f"Programming Language :: Python :: {p}" for p in pythons)],
    packages=find_packages(include=["audioclust", "audioclust.*"]), zip_safe=False,
    package_data={"": ["*.pyi", "py.typed"], "audioclust.listen": ["templates/*"]},
    package_dir={"": "."}, # so that an editable install is a line in a .pth file, which type checkers follow
    python_requires=f">={cfg['min_python']}",
    install_requires=cfg["requirements"].split(),
    extras_require={name: cfg[f"{name}_requirements"].split() for name in ("dev", "pretrained", "parquet", "media", "annotations", "onnx")},
    entry_points={"console_scripts": cfg["console_scripts"].split(), "nbdev": ["audioclust=audioclust._modidx:d"]},
)
