"""Who is in the history: candidates named after trees, and the postings they apply for."""

from dataclasses import dataclass

TREES = tuple(
    """
    Acacia Almond Apple Apricot Araucaria Arbutus Ash Avocado Balsa Banyan Baobab Basswood Bay Boxwood
    Buckeye Buckthorn Butternut Camphor Carob Cashew Cassia Catalpa Cherry Chestnut Citron Clementine
    Cork Cottonwood Cypress Damson Durian Ebony Elder Eucalyptus Fig Filbert Frangipani Guava Hackberry
    Hawthorn Hemlock Hickory Holly Hornbeam Ironwood Jacaranda Kapok Kauri Kumquat Laburnum Laurel Lemon
    Lilac Lime Linden Locust Lychee Magnolia Mahogany Mango Mangrove Medlar Mesquite Mimosa Mulberry
    Myrtle Neem Nutmeg Osier Palm Papaya Paulownia Peach Pear Pecan Persimmon Pistachio Plane Plum
    Pomelo Poplar Privet Redbud Redwood Rosewood Sandalwood Sassafras Satinwood Silverbell Sumac
    Sycamore Tamarind Teak Thuja Tulip Tupelo Viburnum Walnut Wattle Wingnut Wisteria Zebrawood
    """.split()  # noqa: SIM905 a list would take a hundred lines
)
BACKEND, FRONTEND, DATA, SRE, MOBILE, DESIGN = (
    "Backend Engineer",
    "Frontend Engineer",
    "Data Engineer",
    "Site Reliability Engineer",
    "Mobile Engineer",
    "Product Designer",
)
#: What a candidate for the posting is sent, by its tag or by a mapping.
ASSESSMENTS = {
    BACKEND: "Backend",
    FRONTEND: "Frontend Developer",
    DATA: "Data Engineer",
    SRE: "SRE Troubleshooting",
}
#: After how many days CodeScreen ends the time to start.
DAYS_TO_START = {"Backend": 7, "Frontend Developer": 7, "Data Engineer": 5, "SRE Troubleshooting": 3}
#: CodeScreen gives no score for it.
UNSCORED = "SRE Troubleshooting"


@dataclass(frozen=True)
class Person:
    """One candidacy; `same_person_as` is the word of another one, whose contact it shares."""

    word: str
    posting: str = BACKEND
    has_email: bool = True
    tags: tuple[str, ...] = ()
    same_person_as: str = ""
    may_be_contacted: bool = True

    @property
    def email(self) -> str:
        """The person's address, empty if they have none."""
        return f"{(self.same_person_as or self.word).lower()}@candidates.example" if self.has_email else ""

    @property
    def assessment(self) -> str:
        """The assessment that they are sent."""
        tagged = [tag.removeprefix("CodeScreen ") for tag in self.tags if tag.startswith("CodeScreen ")]
        return ASSESSMENTS.get(self.posting) or (tagged[0] if tagged else "")
